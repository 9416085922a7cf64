//! Files by GraphQL: many in one query, and GitHub's ways to say no with status 200.

use http::StatusCode;
use portcullis::github_stand_in::actions::{Changes, NewCommit};
use serde_json::{Value, json};

use super::world::{World, world};

const BLOB: &str = "... on Blob { oid byteSize isBinary isTruncated text }";

fn with_repository(selection: &str) -> String {
    format!("query($o: String!, $n: String!) {{ repository(owner: $o, name: $n) {{ {selection} }} }}")
}

async fn ask(world: &World, selection: &str) -> Value {
    world.query(&with_repository(selection), json!({ "o": "acme", "n": "platform" })).await
}

fn first_error(answer: &Value) -> (String, String) {
    let error = &answer["errors"][0];
    let kind = error["type"].as_str().or(error["extensions"]["code"].as_str()).unwrap_or_default();
    (kind.to_owned(), error["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn many_blobs_come_in_one_query() {
    world("graphql-blobs", async |world| {
        let large = "ü".repeat(300 * 1024);
        let changes = (0..150).fold(Changes::new(), |all, n| all.write(&format!("f/{n}.tf"), format!("# {n}\n")));
        let changes = changes.write("large.txt", large.clone()).write("binary", vec![1_u8, 0, 2]);
        let commit = NewCommit::new("lee", "Files", changes);
        let head = world.stand_in.github(|github| github.push(world.repository, "main", &commit).unwrap());
        let aliases: String =
            (0..150).map(|n| format!("f{n}: object(expression: \"{head}:f/{n}.tf\") {{ {BLOB} }} ")).collect();
        let data = &ask(&world, &aliases).await["data"]["repository"];
        assert_eq!(data["f149"]["text"], "# 149\n");
        assert_eq!((&data["f7"]["byteSize"], &data["f7"]["isBinary"]), (&json!(4), &json!(false)));
        let more = format!(
            "large: object(expression: \"main:large.txt\") {{ {BLOB} }} \
             binary: object(expression: \"HEAD:binary\") {{ {BLOB} }} \
             missing: object(expression: \"main:nothing.tf\") {{ {BLOB} }} \
             folder: object(expression: \"main:f\") {{ __typename {BLOB} }}"
        );
        let data = &ask(&world, &more).await["data"]["repository"];
        assert_eq!((&data["large"]["isTruncated"], &data["large"]["byteSize"]), (&json!(true), &json!(large.len())));
        assert_eq!(data["large"]["text"].as_str().unwrap().len(), 512 * 1024);
        assert_eq!((&data["binary"]["isBinary"], &data["binary"]["text"]), (&json!(true), &Value::Null));
        assert_eq!(data["missing"], Value::Null);
        assert_eq!(data["folder"], json!({ "__typename": "Tree" }), "a folder is no blob");
    })
    .await;
}

#[tokio::test]
async fn objects_are_found_by_id_too_and_fragments_work() {
    world("graphql-objects", async |world| {
        let oid = world.get("/repos/acme/platform/contents/README.md").await.json()["sha"].as_str().unwrap().to_owned();
        let query = "query($o: String!, $n: String! = \"platform\", $id: GitObjectID) {
            repository(owner: $o, name: $n) {
                nameWithOwner
                blob: object(oid: $id) { ...File }
                root: object(expression: \"main\") { ... on Commit { tree { entries { name type mode oid object { ...File } } } } }
                defaultBranchRef { name target { oid } }
            }
        }
        fragment File on Blob { text }";
        let answer = world.query(query, json!({ "o": "acme", "id": oid })).await;
        let data = &answer["data"]["repository"];
        assert_eq!(data["blob"]["text"], "# Platform\n", "{answer}");
        assert_eq!(data["nameWithOwner"], "acme/platform");
        let entries = &data["root"]["tree"]["entries"];
        assert_eq!((&entries[0]["name"], &entries[0]["mode"], &entries[0]["type"]), (&json!("README.md"), &json!(33188), &json!("blob")));
        assert_eq!(entries[0]["object"]["text"], "# Platform\n");
        assert_eq!((&entries[1]["mode"], &entries[1]["object"]), (&json!(16384), &json!({})));
        assert_eq!(data["defaultBranchRef"]["name"], "main");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_query_is_refused_as_a_whole() {
    world("graphql-wrong", async |world| {
        for (selection, code, words) in [
            ("nothing", "undefinedField", "Field 'nothing' doesn't exist on type 'Repository'"),
            ("object(expression: \"main\") { text }", "undefinedField", "doesn't exist on type 'GitObject'"),
            ("object(expression: \"main\")", "selectionMismatch", "must have selections"),
            ("name { x }", "selectionMismatch", "Selections can't be made on scalars"),
            ("object(path: \"x\") { oid }", "argumentNotAccepted", "doesn't accept argument 'path'"),
            ("a: name a: id", "fieldConflict", "conflict"),
            ("...Unknown", "useAndDefineFragment", "used, but not defined"),
            ("object(expression: \"main\") { ... on Issue { id } }", "undefinedType", "No such type Issue"),
            ("object(expression: \"main\") { ... on Repository { id } }", "cannotSpreadFragment", "can't be spread"),
            ("name @client", "undefinedDirective", "@client"),
        ] {
            let answer = ask(&world, selection).await;
            let (found, message) = first_error(&answer);
            assert_eq!(found, code, "{selection}: {answer}");
            assert!(message.contains(words) && answer.get("data").is_none(), "{selection}: {answer}");
        }
        for (query, variables, words) in [
            ("{ repository(owner: \"acme\") { id } }", json!({}), "missing required arguments: name"),
            ("query($x: String) { rateLimit { cost } }", json!({}), "declared but not used"),
            ("{ repository(owner: $o, name: \"x\") { id } }", json!({}), "used but not declared"),
            ("query($o: String!) { repository(owner: $o, name: \"x\") { id } }", json!({}), "provided invalid value"),
            (
                "query($o: String!) { repository(owner: $o, name: \"x\") { id } }",
                json!({ "o": 1 }),
                "provided invalid value",
            ),
            ("{ repository(owner: ", json!({}), "Parse error"),
            ("mutation { x }", json!({}), "queries alone"),
        ] {
            let answer = world.query(query, variables).await;
            assert!(first_error(&answer).1.contains(words), "{query}: {answer}");
        }
        let deep = format!("{}{}", "{a".repeat(100_000), "}".repeat(100_000));
        assert!(first_error(&world.query(&deep, json!({})).await).1.contains("deeper than the limit of 60"));
        let growing: String =
            (0..24).map(|n| format!("fragment F{n} on Repository {{ ...F{0} ...F{0} }} ", n + 1)).collect();
        let growing = format!("{} {growing} fragment F24 on Repository {{ name }}", with_repository("...F0"));
        let answer = world.query(&growing, json!({ "o": "acme", "n": "platform" })).await;
        assert!(first_error(&answer).1.contains("more selections than the limit"), "{answer}");
        let empty = world.post("/graphql", json!({ "variables": {} })).await;
        assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn access_is_held_here_as_elsewhere() {
    world("graphql-access", async |world| {
        let elsewhere = world.query(&with_repository("id"), json!({ "o": "acme", "n": "nothing" })).await;
        assert_eq!(first_error(&elsewhere).0, "NOT_FOUND");
        assert_eq!(elsewhere["data"]["repository"], Value::Null);
        assert_eq!(elsewhere["errors"][0]["path"], json!(["repository"]));
        let blind = world.mint(json!({ "permissions": { "checks": "write" } })).await;
        let query = with_repository("name object(expression: \"main\") { oid }");
        let body = json!({ "query": query, "variables": { "o": "acme", "n": "platform" } });
        let answer = world.ask(&blind, "POST", "/graphql", Some(body.clone())).await.json();
        assert_eq!(first_error(&answer).0, "FORBIDDEN");
        assert_eq!(answer["data"]["repository"], json!({ "name": "platform", "object": null }));
        let nobody = world.bare("POST", "/graphql", &[("user-agent", "x")], &body.to_string()).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
        world.stand_in.github(|github| github.limits_mut().graphql_nodes = 3);
        let many = ask(
            &world,
            "a: object(expression: \"main:\") { ... on Tree { entries { name } } } b: defaultBranchRef { name }",
        )
        .await;
        assert_eq!(first_error(&many).0, "MAX_NODE_LIMIT_EXCEEDED");
    })
    .await;
}

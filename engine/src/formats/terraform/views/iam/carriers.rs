//! Which attributes of which resources hold a policy document, and what such a document speaks of.

/// Where a document stands in a resource, and its `kind`.
pub(super) struct Carrier {
    /// The attribute, below nested blocks.
    pub path: &'static [&'static str],
    /// What the document speaks of.
    pub kind: &'static str,
}

const fn at(path: &'static [&'static str], kind: &'static str) -> Carrier {
    Carrier { path, kind }
}

const IDENTITY: &[Carrier] = &[at(&["policy"], "identity")];
const ROLE: &[Carrier] = &[at(&["assume_role_policy"], "trust"), at(&["inline_policy", "policy"], "identity")];
const PERMISSION_SET: &[Carrier] = &[at(&["inline_policy"], "identity")];
const BUCKET: &[Carrier] = &[at(&["policy"], "bucket")];
const QUEUE: &[Carrier] = &[at(&["policy"], "queue")];
const TOPIC: &[Carrier] = &[at(&["policy"], "topic")];
const KEY: &[Carrier] = &[at(&["policy"], "key")];
const SECRET: &[Carrier] = &[at(&["policy"], "secret")];
const REPOSITORY: &[Carrier] = &[at(&["policy"], "repository")];
const ENDPOINT: &[Carrier] = &[at(&["policy"], "endpoint")];
const DOMAIN: &[Carrier] = &[at(&["access_policies"], "domain")];
const API: &[Carrier] = &[at(&["policy"], "api")];
const FILE_SYSTEM: &[Carrier] = &[at(&["policy"], "file_system")];
const VAULT: &[Carrier] = &[at(&["policy"], "vault")];
const ARCHIVE: &[Carrier] = &[at(&["access_policy"], "vault")];
const ORGANIZATION: &[Carrier] = &[at(&["content"], "organization")];
const RESOURCE: &[Carrier] = &[at(&["policy"], "resource")];
const LOGS: &[Carrier] = &[at(&["policy_document"], "resource")];

/// The documents a resource of a type may carry.
pub(super) fn carriers(type_name: &str) -> &'static [Carrier] {
    match type_name {
        "aws_iam_policy" | "aws_iam_role_policy" | "aws_iam_user_policy" | "aws_iam_group_policy" => IDENTITY,
        "aws_iam_role" => ROLE,
        "aws_ssoadmin_permission_set_inline_policy" => PERMISSION_SET,
        "aws_s3_bucket"
        | "aws_s3_bucket_policy"
        | "aws_s3_access_point"
        | "aws_s3control_access_point_policy"
        | "aws_s3control_bucket_policy" => BUCKET,
        "aws_sqs_queue" | "aws_sqs_queue_policy" => QUEUE,
        "aws_sns_topic" | "aws_sns_topic_policy" => TOPIC,
        "aws_kms_key"
        | "aws_kms_external_key"
        | "aws_kms_replica_key"
        | "aws_kms_replica_external_key"
        | "aws_kms_key_policy" => KEY,
        "aws_secretsmanager_secret" | "aws_secretsmanager_secret_policy" => SECRET,
        "aws_ecr_repository_policy" | "aws_ecr_registry_policy" | "aws_ecrpublic_repository_policy" => REPOSITORY,
        "aws_vpc_endpoint" | "aws_vpc_endpoint_policy" => ENDPOINT,
        "aws_elasticsearch_domain"
        | "aws_elasticsearch_domain_policy"
        | "aws_opensearch_domain"
        | "aws_opensearch_domain_policy" => DOMAIN,
        "aws_api_gateway_rest_api" | "aws_api_gateway_rest_api_policy" => API,
        "aws_efs_file_system_policy" => FILE_SYSTEM,
        "aws_backup_vault_policy" | "aws_glacier_vault_lock" => VAULT,
        "aws_glacier_vault" => ARCHIVE,
        "aws_organizations_policy" => ORGANIZATION,
        "aws_cloudwatch_event_bus_policy"
        | "aws_glue_resource_policy"
        | "aws_media_store_container_policy"
        | "aws_acmpca_policy"
        | "aws_schemas_registry_policy"
        | "aws_networkfirewall_resource_policy"
        | "aws_ses_identity_policy"
        | "aws_dynamodb_resource_policy"
        | "aws_kinesis_resource_policy" => RESOURCE,
        "aws_cloudwatch_log_resource_policy"
        | "aws_codeartifact_domain_permissions_policy"
        | "aws_codeartifact_repository_permissions_policy" => LOGS,
        _ => &[],
    }
}

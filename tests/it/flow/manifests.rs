//! Infrastructure-as-code to propose: what no policy minds, and what one does.

/// A workload no policy minds.
pub(super) fn deployment(name: &str) -> String {
    workload(name, "registry.example.org/app:1.2", "false")
}

/// A workload that runs privileged: one violation, high, at the line of `privileged`.
pub(super) fn privileged(name: &str) -> String {
    workload(name, "registry.example.org/app:1.2", "true")
}

/// A workload whose image has no version: one violation, medium.
pub(super) fn unpinned(name: &str) -> String {
    workload(name, "registry.example.org/app:latest", "false")
}

/// A workload without limits: violations that are low only.
pub(super) fn unlimited(name: &str) -> String {
    let lines: Vec<String> =
        deployment(name).lines().filter(|line| !line.contains("limits:")).map(str::to_owned).collect();
    lines.join("\n")
}

fn workload(name: &str, image: &str, privileged: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: shop
spec:
  selector:
    matchLabels: {{ app: {name} }}
  template:
    metadata:
      labels: {{ app: {name} }}
    spec:
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
      containers:
        - name: app
          image: {image}
          securityContext:
            privileged: {privileged}
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
          resources:
            requests: {{ cpu: 100m, memory: 64Mi }}
            limits: {{ cpu: 200m, memory: 128Mi }}
"
    )
}

/// The final stage of an image, run by a user.
pub(super) fn image(user: &str) -> String {
    format!("FROM debian:12.5\nHEALTHCHECK CMD true\nUSER {user}\n")
}

/// A kind of resource no policy speaks of.
pub(super) fn uncovered(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: shop\ndata:\n  color: blue\n")
}

//! Infrastructure-as-code to propose: what no policy minds, and what one does.

/// A workload no policy minds, and the network policy that goes with it. When a new policy minds it, this is where it is mended.
pub(super) fn deployment(name: &str) -> String {
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
      automountServiceAccountToken: false
      serviceAccountName: web
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: {{ type: RuntimeDefault }}
      containers:
        - name: app
          image: registry.example.org/app:1.2@sha256:{digest}
          imagePullPolicy: Always
          securityContext:
            privileged: false
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{ drop: [ALL] }}
          resources:
            requests: {{ cpu: 100m, memory: 64Mi }}
            limits: {{ cpu: 200m, memory: 128Mi }}
          readinessProbe: {{ httpGet: {{ path: /ready, port: 8080 }} }}
          livenessProbe: {{ httpGet: {{ path: /alive, port: 8080 }} }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {name}
  namespace: shop
spec:
  podSelector:
    matchLabels: {{ app: {name} }}
  policyTypes: [Ingress, Egress]
",
        digest = "0".repeat(64)
    )
}

/// A workload that runs privileged: one violation, high, in line 26.
pub(super) fn privileged(name: &str) -> String {
    deployment(name).replace("privileged: false", "privileged: true")
}

/// A workload that may gain privileges: one violation, medium.
pub(super) fn escalating(name: &str) -> String {
    deployment(name).replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
}

/// A workload without limits: two violations, low.
pub(super) fn unlimited(name: &str) -> String {
    let manifest = deployment(name);
    let lines = manifest.lines().filter(|line| !line.contains("limits:"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The final stage of an image, run by a user.
pub(super) fn image(user: &str) -> String {
    format!("FROM debian:12.5\nHEALTHCHECK CMD true\nUSER {user}\n")
}

/// A kind of resource no policy speaks of.
pub(super) fn uncovered(name: &str) -> String {
    format!(
        "apiVersion: example.org/v1\nkind: Palette\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  color: blue\n"
    )
}

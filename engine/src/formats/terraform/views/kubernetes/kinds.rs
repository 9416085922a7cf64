//! The types of Terraform's Kubernetes provider and the kinds they make.

/// Whether resources of a kind live in namespaces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Namespace,
    Cluster,
}

use Reach::{Cluster, Namespace};

/// What the provider calls a kind (without `kubernetes_` and version), and the kind.
const KINDS: &[(&str, &str, Reach)] = &[
    ("api_service", "APIService", Cluster),
    ("certificate_signing_request", "CertificateSigningRequest", Cluster),
    ("cluster_role", "ClusterRole", Cluster),
    ("cluster_role_binding", "ClusterRoleBinding", Cluster),
    ("config_map", "ConfigMap", Namespace),
    ("cron_job", "CronJob", Namespace),
    ("csi_driver", "CSIDriver", Cluster),
    ("daemon_set", "DaemonSet", Namespace),
    ("daemonset", "DaemonSet", Namespace),
    ("default_service_account", "ServiceAccount", Namespace),
    ("deployment", "Deployment", Namespace),
    ("endpoint_slice", "EndpointSlice", Namespace),
    ("endpoints", "Endpoints", Namespace),
    ("horizontal_pod_autoscaler", "HorizontalPodAutoscaler", Namespace),
    ("ingress", "Ingress", Namespace),
    ("ingress_class", "IngressClass", Cluster),
    ("job", "Job", Namespace),
    ("limit_range", "LimitRange", Namespace),
    ("mutating_webhook_configuration", "MutatingWebhookConfiguration", Cluster),
    ("namespace", "Namespace", Cluster),
    ("network_policy", "NetworkPolicy", Namespace),
    ("persistent_volume", "PersistentVolume", Cluster),
    ("persistent_volume_claim", "PersistentVolumeClaim", Namespace),
    ("pod", "Pod", Namespace),
    ("pod_disruption_budget", "PodDisruptionBudget", Namespace),
    ("pod_security_policy", "PodSecurityPolicy", Cluster),
    ("priority_class", "PriorityClass", Cluster),
    ("replication_controller", "ReplicationController", Namespace),
    ("resource_quota", "ResourceQuota", Namespace),
    ("role", "Role", Namespace),
    ("role_binding", "RoleBinding", Namespace),
    ("runtime_class", "RuntimeClass", Cluster),
    ("secret", "Secret", Namespace),
    ("service", "Service", Namespace),
    ("service_account", "ServiceAccount", Namespace),
    ("stateful_set", "StatefulSet", Namespace),
    ("storage_class", "StorageClass", Cluster),
    ("validating_webhook_configuration", "ValidatingWebhookConfiguration", Cluster),
];

/// The kind a resource type makes; `None` for what makes none (`kubernetes_annotations`) or leaves it to its author.
pub(super) fn kind_of(type_name: &str) -> Option<(&'static str, Reach)> {
    let name = type_name.strip_prefix("kubernetes_")?;
    let name = match name.rsplit_once("_v") {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains('_') => name,
        _ => name,
    };
    KINDS.iter().find(|(known, ..)| *known == name).map(|(_, kind, reach)| (*kind, *reach))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_kinds_whatever_version_they_name() {
        for (type_name, kind) in [
            ("kubernetes_deployment", Some("Deployment")),
            ("kubernetes_deployment_v1", Some("Deployment")),
            ("kubernetes_daemonset", Some("DaemonSet")),
            ("kubernetes_daemon_set_v1", Some("DaemonSet")),
            ("kubernetes_horizontal_pod_autoscaler_v2beta2", Some("HorizontalPodAutoscaler")),
            ("kubernetes_persistent_volume_claim", Some("PersistentVolumeClaim")),
            ("kubernetes_config_map_v1_data", None),
            ("kubernetes_manifest", None),
            ("data.kubernetes_pod", None),
            ("aws_instance", None),
        ] {
            assert_eq!(kind_of(type_name).map(|(kind, _)| kind), kind, "{type_name}");
        }
    }
}

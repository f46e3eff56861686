"""Where an app is deployed to: a host over SSH, a cluster, or a repository of manifests."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import TYPE_CHECKING, Annotated

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.forms import Elsewhere, Form
from gen_workflow.spec.host import SshDeploy
from gen_workflow.spec.host_rules import what_runs_there
from gen_workflow.spec.sections import Either, Key, Section

if TYPE_CHECKING:
    from gen_workflow.spec.gitops import Gitops
    from gen_workflow.spec.kubernetes import Kubernetes

_CLUSTER: Form["Kubernetes"] = Elsewhere("gen_workflow.spec.kubernetes", "CLUSTER")
_GITOPS: Form["Gitops"] = Elsewhere("gen_workflow.spec.gitops", "GITOPS")


class KubernetesDeploy(NamedTuple):
    """A cluster, and what gets the image there."""

    kubernetes: Annotated[
        "Kubernetes",
        Key(
            "The cluster: a workload that gets the image, or a mapping",
            _CLUSTER,
            "deployment/web",
            "0.1.0",
            default="**required**, or `ssh` or `gitops`",
            missing="name what gets the image: kubernetes: deployment/web",
        ),
    ]


class GitopsDeploy(NamedTuple):
    """A repository of manifests that gets a commit with the image."""

    gitops: Annotated[
        "Gitops",
        Key(
            "The repository of manifests that gets a commit with the new image",
            _GITOPS,
            "{repository: acme/manifests, kustomize: apps/shop}",
            "0.1.0",
            default="**required**, or `ssh` or `kubernetes`",
            missing="name the repository of manifests: gitops: {repository: acme/manifests, "
            "kustomize: apps/shop}",
        ),
    ]


DEPLOY = Either(
    Section(SshDeploy, rule=what_runs_there),
    Section(KubernetesDeploy),
    Section(GitopsDeploy),
    together="a deploy goes to a host, into a cluster, or into a repository of manifests",
)

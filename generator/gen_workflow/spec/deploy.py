"""Where an app is deployed to: a host over SSH, or a cluster."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated, NamedTuple

from gen_workflow.spec.forms import Checked
from gen_workflow.spec.host import SshDeploy
from gen_workflow.spec.host_rules import what_runs_there
from gen_workflow.spec.kubernetes import KUBERNETES, Kubernetes, workload_of
from gen_workflow.spec.sections import Either, Key, Later, Section, ShortOr
from gen_workflow.spec.workloads import WORKLOAD_SCHEMA


class KubernetesDeploy(NamedTuple):
    """A cluster, and what gets the image there."""

    kubernetes: Annotated[
        Kubernetes,
        Key(
            "The cluster: a workload that gets the image, or a mapping",
            ShortOr(
                Checked(workload_of, WORKLOAD_SCHEMA),
                "a workload",
                "kubernetes: deployment/web",
                KUBERNETES,
            ),
            "deployment/web",
            "0.1.0",
            default="**required**, or `ssh`",
            missing="name what gets the image: kubernetes: deployment/web",
        ),
    ]


DEPLOY = Either(
    Section(
        SshDeploy,
        Later("gitops", "ssh run"),
        rule=what_runs_there,
    ),
    Section(KubernetesDeploy),
    together="a deploy goes to a host or into a cluster",
)

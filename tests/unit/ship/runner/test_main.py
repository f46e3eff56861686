from __future__ import annotations

from ship.runner.main import without_secrets

PEM = "-----BEGIN KEY-----\nMIIEpQIBAAKC\n-----END KEY-----"


def test_the_traceback_of_a_bug_has_no_part_of_a_secret() -> None:
    env = {
        "INPUT_SECRETS": f'NPM_TOKEN\nid=hunter22\n"pem={PEM}"',
        "INPUT_ENV": "LEVEL=1\nDB=postgres://u:hunter33@db",
        "INPUT_SSH_KEY": f"  {PEM}\n",
        "INPUT_PASSWORD": "hunter44",
        "JOB_TOKEN": "ghs_hunter55",
        "NPM_TOKEN": "hunter66\nhunter77",
        "INPUT_IMAGE": "ghcr.io/acme/app",
    }
    parts = "hunter22 MIIEpQIBAAKC postgres://u:hunter33@db hunter44 ghs_hunter55 hunter66 hunter77"
    shown = without_secrets(f"ValueError: 1 {parts} of ghcr.io/acme/app", env)
    assert shown == f"ValueError: 1 {' '.join(['***'] * 7)} of ghcr.io/acme/app"

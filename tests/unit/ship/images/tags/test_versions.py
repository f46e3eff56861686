"""Semantic versions and those of PEP 440."""

from __future__ import annotations

import pytest

from ship.images.tags.versions import NAMES, pep440, semver

SEMVER = {
    "1.2.3": ("1.2.3", "1", "2", "3", "", "", True),
    "v1.2.3": ("1.2.3", "1", "2", "3", "", "", True),
    "0.0.0": ("0.0.0", "0", "0", "0", "", "", True),
    "1.2.3-rc.1": ("1.2.3-rc.1", "1", "2", "3", "rc,1", "", False),
    "1.2.3--": ("1.2.3--", "1", "2", "3", "-", "", False),
    "1.2.3-0a.x-y": ("1.2.3-0a.x-y", "1", "2", "3", "0a,x-y", "", False),
    "1.2.3+build.05": ("1.2.3", "1", "2", "3", "", "build,05", True),
    "1.2.3-a+b": ("1.2.3-a", "1", "2", "3", "a", "b", False),
    "9007199254740991.0.0": ("9007199254740991.0.0", "9007199254740991", "0", "0", "", "", True),
}
NO_SEMVER = [
    "", "1", "1.2", "v1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.3-01", "1.2.3-", "1.2.3+",
    "1.2.3-a..b", "V1.2.3", "vv1.2.3", "=1.2.3", "a1.2.3", "1.2.3 ", "1.2.3\n", "1.2.x",
    "9007199254740992.0.0", "1.2.3-" + "a" * 251, "\u0661.\u0662.\u0663",
]  # fmt: skip
PEP440 = {
    "1": ("1", "1", "0", "0", True),
    "1.0": ("1.0", "1", "0", "0", True),
    "v1.2.3.4": ("1.2.3.4", "1", "2", "3", True),
    "01.02.003": ("1.2.3", "1", "2", "3", True),
    "2012!1.0": ("2012!1.0", "1", "0", "0", True),
    "0!1.0": ("1.0", "1", "0", "0", True),
    "1.0a1": ("1.0a1", "1", "0", "0", False),
    "1.0.ALPHA-1": ("1.0a1", "1", "0", "0", False),
    "1.0_beta": ("1.0b0", "1", "0", "0", False),
    "1.0c1": ("1.0rc1", "1", "0", "0", False),
    "1.0pre2": ("1.0rc2", "1", "0", "0", False),
    "1.0-preview": ("1.0rc0", "1", "0", "0", False),
    "1.0-rc.01": ("1.0rc1", "1", "0", "0", False),
    "1.0-1": ("1.0.post1", "1", "0", "0", False),
    "1.0.post": ("1.0.post0", "1", "0", "0", False),
    "1.0rev5": ("1.0.post5", "1", "0", "0", False),
    "1.0-r4": ("1.0.post4", "1", "0", "0", False),
    "1.0.dev007": ("1.0.dev7", "1", "0", "0", False),
    "1.0a1.post2.dev3": ("1.0a1.post2.dev3", "1", "0", "0", False),
    "1.2.3+Ubuntu-1": ("1.2.3+ubuntu,1", "1", "2", "3", True),
    "1.2.3+001_a.b": ("1.2.3+1,a,b", "1", "2", "3", True),
    "20260705": ("20260705", "20260705", "0", "0", True),
    # Not rounded to what a float can hold.
    "20260705012045678": ("20260705012045678", "20260705012045678", "0", "0", True),
}
NO_PEP440 = [
    "", "v", "1.0.", "1.0+", "1.0+a..b", "1.0 ", " 1.0", "1.0\n", "==1.0", "1.0.*", "1.2.3-beta-x",
    "1.2.3-4-gabc", "a1.0", "1.0+ü",
    "9" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("text", SEMVER)
def test_a_semantic_version_has_parts(text: str) -> None:
    version = semver(text)
    assert version
    assert version.values.keys() == set(NAMES["semver"])
    assert version.values["raw"] == text
    parts = (version.values[name] for name in NAMES["semver"][1:])
    assert (*parts, version.is_stable) == SEMVER[text]
    assert version.triple == (version.major, version.minor, version.patch)


@pytest.mark.parametrize("text", NO_SEMVER)
def test_other_texts_are_no_semantic_version(text: str) -> None:
    assert semver(text) is None


@pytest.mark.parametrize("text", PEP440)
def test_a_version_of_a_python_package_has_a_normal_form(text: str) -> None:
    version = pep440(text)
    assert version
    assert version.values.keys() == set(NAMES["pep440"])
    assert version.values["raw"] == text
    parts = (version.values[name] for name in NAMES["pep440"][1:])
    assert (*parts, version.is_stable) == PEP440[text]


@pytest.mark.parametrize("text", NO_PEP440)
def test_other_texts_are_no_version_of_a_python_package(text: str) -> None:
    assert pep440(text) is None

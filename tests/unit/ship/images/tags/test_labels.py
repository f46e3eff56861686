"""Labels, annotations, and the outputs that are made of them."""

from __future__ import annotations

import json

import pytest

from ship.images.tags.collation import collated
from ship.runner.errors import UserError
from unit.ship.images.tags.runs import MAIN, RUNS, SHA, TAG, described, push

OCI = "org.opencontainers.image"


def custom(text: str) -> dict[str, str]:
    made = described(labels=text).labels
    return {name: value for name, value in made.items() if not name.startswith(OCI)}


def test_the_standard_labels_say_what_it_is() -> None:
    assert described("type=semver,pattern={{version}}", TAG).labels == {
        f"{OCI}.created": "2026-07-05T01:20:45.000Z",
        f"{OCI}.description": 'Sells <things> & "more"',
        f"{OCI}.licenses": "MIT",
        f"{OCI}.revision": SHA,
        f"{OCI}.source": "https://github.com/Acme/Shop",
        f"{OCI}.title": "Shop",
        f"{OCI}.url": "https://github.com/Acme/Shop",
        f"{OCI}.version": "1.2.3",
    }


def test_without_a_payload_they_say_what_the_environment_knows() -> None:
    made = described("type=ref,event=tag", RUNS["nothing but a ref"]).labels
    assert {name: value for name, value in made.items() if value} == {
        f"{OCI}.created": "2026-07-05T01:20:45.000Z",
        f"{OCI}.revision": SHA,
        f"{OCI}.source": "https://github.com/Acme/Shop",
        f"{OCI}.title": "Shop",
        f"{OCI}.url": "https://github.com/Acme/Shop",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", {"a": "b"}),
        ("  a=b  \n\n# c=d\n  # e=f\ng=h", {"a": "b", "g": "h"}),
        ("a=b\na=c", {"a": "c"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=", {"a": ""}),
        ("a = b", {"a": " b"}),
        ("a=b, c", {"a": "b, c"}),
        ('"a=b, c"', {"a": "b, c"}),
        ('"a=say ""hi"""', {"a": 'say "hi"'}),
        ('a="b"', {"a": '"b"'}),
        ('a={"b":"c"}', {"a": '{"b":"c"}'}),
        ("a=it's <b>&amp; `id` $(id) %0A", {"a": "it's <b>&amp; `id` $(id) %0A"}),
        ("a=b # c", {"a": "b # c"}),
        ("a={{branch}}-{{sha}}", {"a": f"main-{SHA[:7]}"}),
        ('a={{date "YYYY"}}', {"a": "2026"}),
        (r"a=\{{ .Name }}", {"a": "{{ .Name }}"}),
        ("{{branch}}=a", {"main": "a"}),
        ("ü=ß", {"ü": "ß"}),
    ],
)
def test_a_line_is_a_label(text: str, expected: dict[str, str]) -> None:
    assert custom(text) == expected


def test_a_label_replaces_a_standard_one() -> None:
    assert described(labels=f"{OCI}.title=Mine").labels[f"{OCI}.title"] == "Mine"


def test_what_is_no_label_is_left_out_with_a_message() -> None:
    made = described(labels="a\n=b\n{{tag}}=c", annotations="d")
    assert made.notices == (
        "input `labels`, line 1: 'a' is ignored, because it is not name=value",
        "input `labels`, line 2: '=b' is ignored, because it is not name=value",
        "input `labels`, line 3: '{{tag}}=c' is ignored, because it is not name=value",
        "input `annotations`, line 1: 'd' is ignored, because it is not name=value",
    )
    assert len(made.labels) == 8


def test_a_wrong_label_is_reported_with_its_line() -> None:
    with pytest.raises(UserError) as caught:
        described(labels="a=b\n\nc={{ y }}")
    assert str(caught.value).startswith("input `labels`, line 3: 'c={{ y }}': `{{ y }}` is unknown")


@pytest.mark.parametrize(
    "names",
    [
        ["a", "A", "b", "B", "z", "Z"],
        ["ab", "aB", "Ab", "AB", "äb", "ÄB", "ac"],
        ["_", "-", ".", "/", "1", "10", "2", "a"],
        ["a b", "a_b", "a-b", "a.b", "a/b", "a1", "ab"],
        ["org", "org.", "org.a", "org.z", "orga"],
        ["e", "é", "ê", "f"],
        ["a", "z", "\u0430", "\u044f"],  # Cyrillic
    ],
)
def test_the_order_of_names_is_that_of_people(names: list[str]) -> None:
    assert collated(reversed(names)) == names
    assert collated(names) == names


def test_the_time_is_that_of_the_commit_so_that_a_commit_gives_one_image() -> None:
    dated = MAIN.facts({})
    assert dated.created == dated.commit_time == 1774744215
    assert dated.now > 1774744215
    # Without it, it is the time of the run.
    undated = RUNS["run by hand"].facts({})
    assert undated.commit_time is None
    assert undated.created == undated.now


def test_source_date_epoch_is_the_time_of_everything() -> None:
    facts = MAIN.facts({"SOURCE_DATE_EPOCH": " 0 "})
    assert (facts.now, facts.created) == (0, 0)
    assert described(env={"SOURCE_DATE_EPOCH": "0"}).labels[f"{OCI}.created"] == (
        "1970-01-01T00:00:00.000Z"
    )


def test_annotations_are_as_labels_and_have_levels() -> None:
    made = described(
        annotations="a=b", env={"DOCKER_METADATA_ANNOTATIONS_LEVELS": "index,manifest"}
    )
    assert "a" not in made.labels
    assert made.annotations == {**made.labels, "a": "b"}
    leveled = made.leveled_annotations()
    assert leveled[0] == "index:a=b"
    assert leveled[9] == "manifest:a=b"
    assert len(leveled) == 18
    assert made.leveled_annotations(("x",))[0] == "x:a=b"


def test_the_output_json_and_the_file_for_bake_have_all_names() -> None:
    made = described("x\ny", labels="a=b", image="c/d\ne/f")
    references = ["c/d:x", "c/d:y", "e/f:x", "e/f:y"]
    assert json.loads(json.dumps(made.as_json())) == {
        "tags": references,
        "tag-names": ["x", "y"],
        "labels": made.labels,
        "annotations": list(made.leveled_annotations()),
    }
    assert made.bake() == {
        "target": {
            "docker-metadata-action": {
                "tags": references,
                "labels": made.labels,
                "args": {"DOCKER_META_IMAGES": "c/d,e/f", "DOCKER_META_VERSION": "x"},
            }
        }
    }


def test_a_line_break_in_the_payload_does_not_make_a_label() -> None:
    repository = {"description": "Sells\r\nevil=1\x00\u2028more", "html_url": "https://x\ny"}
    made = described(run=push("refs/heads/a\nb", repository=repository), labels="c={{branch}}")
    assert made.labels[f"{OCI}.description"] == "Sells evil=1 more"
    assert made.labels[f"{OCI}.url"] == "https://x y"
    assert made.labels["c"] == "a b"

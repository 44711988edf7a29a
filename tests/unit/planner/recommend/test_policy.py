"""What may be used: sources, licences, and accelerators that export rules keep from a region."""

from __future__ import annotations

import pytest

from qwen3_planner.catalog.choosing import load_choosing
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.recommend.policy import (
    Policy,
    allowed_catalog,
    barred,
    licence_of,
    publisher_of,
    total_processing_performance,
)

CATALOG = load_catalog()
CHOOSING = load_choosing()


def kept(name: str, region: str, **policy: frozenset[str]) -> bool:
    card = CATALOG.accelerator(name)
    return bool(barred([card], CHOOSING.export_rules, Policy(region=region, **policy)))


@pytest.mark.parametrize(
    "name", ["H100-SXM-80GB", "A100-SXM-80GB", "L40S-48GB", "RTX-4090-24GB", "H20-96GB"]
)
def test_accelerators_that_a_rule_names_are_kept_from_china_and_not_from_germany(name: str) -> None:
    assert kept(name, "CN")
    assert not kept(name, "DE")
    assert not kept(name, "")


@pytest.mark.parametrize("name", ["B200-SXM-180GB", "MI300X-192GB", "H200-SXM-141GB"])
def test_newer_accelerators_fall_under_the_figure_of_the_rule(name: str) -> None:
    assert total_processing_performance(CATALOG.accelerator(name)) > 4800
    assert kept(name, "CN")


@pytest.mark.parametrize("name", ["L4-24GB", "RTX-3090-24GB", "T4-16GB", "Apple-M2-Pro-32GB"])
def test_smaller_ones_are_not(name: str) -> None:
    assert not kept(name, "CN")


def test_the_h20_rule_is_about_china_alone() -> None:
    assert not kept("H20-96GB", "AE")
    assert kept("H100-SXM-80GB", "AE")


def test_a_licence_lifts_the_bar_for_its_accelerator() -> None:
    assert not kept("H20-96GB", "CN", licensed=frozenset({"H20-96GB"}))
    assert kept("H100-SXM-80GB", "CN", licensed=frozenset({"H20-96GB"}))


def test_every_rule_has_a_source_a_date_and_known_accelerators() -> None:
    names = {row.name for row in CATALOG.accelerators}
    for rule in CHOOSING.export_rules:
        assert set(rule.accelerators) <= names
        assert rule.regions
        assert "https://" in rule.source
        assert rule.as_of


def test_a_licence_policy_leaves_only_checkpoints_whose_licence_was_read() -> None:
    policy = Policy(licences=frozenset({"apache-2.0"}))
    rows = allowed_catalog(CATALOG, policy, CHOOSING.licences).checkpoints
    assert rows
    assert {publisher_of(row) for row in rows} == {"Qwen"}
    assert len(rows) < len(CATALOG.checkpoints)


def test_modelscope_alone_gives_official_checkpoints_from_there() -> None:
    policy = Policy(sources=frozenset({"modelscope"}))
    rows = allowed_catalog(CATALOG, policy, CHOOSING.licences).checkpoints
    assert rows
    assert all(row.uri.startswith("modelscope://Qwen/") for row in rows)


def test_no_policy_changes_nothing() -> None:
    assert allowed_catalog(CATALOG, Policy(), CHOOSING.licences) is CATALOG


def test_a_licence_is_told_where_it_was_read() -> None:
    found = licence_of("modelscope://Qwen/Qwen3-8B", CHOOSING.licences)
    assert found is not None
    assert found.licence == "Apache-2.0"
    assert licence_of("hf://unsloth/Qwen3-8B-GGUF", CHOOSING.licences) is None

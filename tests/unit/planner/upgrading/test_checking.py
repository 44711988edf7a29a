from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import EngineName, EngineTuning, Quantization
from qwen3_planner.upgrading.checking import check_upgrade
from support.planner_builders import a_request, hardware, planned

if TYPE_CHECKING:
    from qwen3_planner.upgrading.values import Upgrade


def upgrade(
    model: str = "Qwen3-32B",
    on: str = "2xH100-SXM-80GB",
    old: str = "0.11.0",
    new: str = "0.32.0",
    extra_args: tuple[str, ...] = (),
    **fields: object,
) -> Upgrade:
    return check_upgrade(
        a_request(model, **fields),
        hardware(on),
        load_catalog(),
        versions=(old, new),
        extra_args=extra_args,
    )


def figure(found: Upgrade, name: str, unit: str) -> tuple[float, float]:
    (one,) = (f for f in found.figures if (f.name, f.unit) == (name, unit))
    return one.before, one.after


def test_each_side_is_the_plan_that_the_planner_gives() -> None:
    found = upgrade()
    assert found.before == planned("Qwen3-32B", "2xH100-SXM-80GB", engine_version="0.11.0")
    assert isinstance(found.after, Plan)
    assert found.after.engine_version == "0.32.0"
    assert found.holds


def test_what_the_old_plan_chose_is_held_fixed() -> None:
    """Free, the new version would be planned on one GPU of the larger kind."""
    on = "4xL4-24GB,1xH100-SXM-80GB"
    found = upgrade("Qwen3-8B", on, accelerators=("L4-24GB",))
    assert isinstance(found.before, Plan)
    assert isinstance(found.after, Plan)
    for name in ("quantization", "layout", "placement", "max_model_len", "source"):
        assert getattr(found.after, name) == getattr(found.before, name), name


def test_the_figures_are_those_of_the_two_plans() -> None:
    found = upgrade()
    assert isinstance(found.before, Plan)
    assert isinstance(found.after, Plan)
    old, new = found.before.memory, found.after.memory
    assert figure(found, "KV cache", "tokens") == (old.kv_cache_tokens, new.kv_cache_tokens)
    assert figure(found, "budget", "bytes") == (
        old.per_gpu[0].budget_bytes,
        new.per_gpu[0].budget_bytes,
    )
    assert figure(found, "weights", "bytes")[0] == old.per_gpu[0].weights_bytes
    assert figure(found, "at once", "requests") == (old.max_concurrency, new.max_concurrency)


def test_the_default_utilization_grows_and_a_given_one_does_not() -> None:
    before, after = figure(upgrade(), "utilization", "share")
    assert before == pytest.approx(0.9, abs=1e-4)
    assert after == pytest.approx(0.92, abs=1e-4)
    given = upgrade(tuning=EngineTuning(gpu_memory_utilization=0.85))
    before, after = figure(given, "utilization", "share")
    assert before == after == pytest.approx(0.85, abs=1e-4)


def test_a_context_that_the_new_version_cannot_hold_breaks_it() -> None:
    found = upgrade(
        on="1xH100-SXM-80GB", old="0.32.0", new="0.11.0", quantization=Quantization.BF16
    )
    assert not found.holds
    assert isinstance(found.after, NoPlan)
    assert "vllm 0.11.0 no longer holds the plan" in found.breaks[0]
    assert found.after.nearest is not None
    assert found.figures == ()


def test_a_layout_that_becomes_legal_is_gained_and_the_other_way_round_lost() -> None:
    question = {"model": "Qwen3-235B-A22B", "on": "8xH100-SXM-80GB"}
    there = upgrade(**question, quantization=Quantization.FP8)  # type: ignore[arg-type]
    back = upgrade(**question, quantization=Quantization.FP8, old="0.32.0", new="0.11.0")  # type: ignore[arg-type]
    assert "tp8" in [str(layout) for layout in there.legality.layouts_gained]
    assert there.legality.layouts_gained == back.legality.layouts_lost
    assert there.legality.layouts_lost == ()


def test_an_upgrade_to_the_same_version_changes_nothing() -> None:
    found = upgrade(old="0.28.0", new="0.28.0")
    assert all(figure.before == figure.after for figure in found.figures)
    assert isinstance(found.before, Plan)
    assert isinstance(found.after, Plan)
    assert found.before.memory == found.after.memory
    assert found.before.command == found.after.command
    assert found.words_removed == found.words_added == ()
    assert not found.flags
    assert not found.turns
    assert found.legality.layouts_gained == found.legality.layouts_lost == ()
    assert found.legality.rules_gained == found.legality.rules_lost == ()


def test_a_flag_of_the_rendered_command_that_is_gone_is_told_with_what_replaces_it() -> None:
    found = upgrade(old="0.10.2", max_model_len=131072)
    (gone,) = found.flags
    assert (gone.flag, gone.where, gone.instead) == ("--rope-scaling", "command", "--hf-overrides")
    assert found.holds
    assert any(word.startswith("--rope-scaling ") for word in found.words_removed)
    assert any(word.startswith("--hf-overrides ") for word in found.words_added)


def test_a_flag_of_extra_args_that_is_gone_breaks_it() -> None:
    found = upgrade(extra_args=("--swap-space=4", "--reasoning-parser", "qwen3"))
    assert [gone.flag for gone in found.flags] == ["--swap-space"]
    assert found.breaks == ("extraArgs use --swap-space, which is gone since 0.18.0.",)
    assert upgrade(extra_args=("--reasoning-parser", "qwen3")).holds


def test_where_nothing_fits_with_the_old_version_the_new_one_is_planned_freely() -> None:
    found = upgrade(on="1xL4-24GB", quantization=Quantization.BF16)
    assert isinstance(found.before, NoPlan)
    assert isinstance(found.after, NoPlan)
    assert "has no plan either" in found.breaks[0]


def test_what_is_asked_stays_as_it_is() -> None:
    request = a_request("Qwen3-8B", engine_version="0.9.2")
    check_upgrade(request, hardware("1xL40S"), load_catalog(), versions=("0.11.0", "0.32.0"))
    assert request == a_request("Qwen3-8B", engine_version="0.9.2")
    assert isinstance(plan(request, hardware("1xL40S"), load_catalog()), Plan)


@pytest.mark.parametrize(
    ("versions", "field"), [(("new", "0.32.0"), "--from"), (("0.11.0", "0.x"), "--to")]
)
def test_a_version_that_is_none_is_named_by_its_option(
    versions: tuple[str, str], field: str
) -> None:
    with pytest.raises(SpecError) as raised:
        check_upgrade(a_request(), hardware(), load_catalog(), versions=versions)
    assert raised.value.field == field


def test_a_layout_that_becomes_legal_names_the_rule_that_refused_it() -> None:
    found = upgrade("Qwen3-30B-A3B", old="0.4.6.post1", new="0.5.23", engine=EngineName.SGLANG)
    assert "tp1xpp2" in [str(layout) for layout in found.legality.layouts_gained]
    (rule,) = found.legality.rules_lost
    assert rule.startswith("LayoutNeedsNewerEngine: SGLang 0.4.6.post1 cannot cut")
    assert not found.legality.layouts_lost
    assert not found.legality.rules_gained

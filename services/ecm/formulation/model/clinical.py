"""Developmental map, recovery-model stage, recommendations: the psychologist's (checklist 161 to 164, 176)."""

import re
from collections.abc import Callable, Iterable
from datetime import date

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.formulation.model.values import check_free_text, check_past_day, check_text, invalid, missing
from ecm.kit.region import Region
from ecm.kit.region_parts import RecoveryModel

OLDEST_YEARS = 25
_YEARS = re.compile(r"[0-9]{1,2}(\.[0-9])?")
_ASPECTS = ("physical_years", "social_years", "cognitive_years", "emotional_years")


def mapped(given: records.DevelopmentalMap, author: AssertedPractitioner, today: date) -> records.DevelopmentalMap:
    """All four estimates in years with at most one decimal, as written (161). MISSING_VALUE, INVALID_VALUE."""
    for aspect in _ASPECTS:
        _check_years(getattr(given, aspect), f"map.{aspect}")
    check_past_day(given.effective_on, today, "map.effective_on")
    made = records.DevelopmentalMap()
    made.CopyFrom(given)
    made.author.CopyFrom(author)
    return made


def _check_years(years: str, field: str) -> None:
    if not years:
        raise missing(f"{field} is missing; the map has four estimates.", field)
    if not _YEARS.fullmatch(years) or float(years) > OLDEST_YEARS:
        raise invalid(f"{field} is 0 to {OLDEST_YEARS} with at most one decimal, e.g. 7.5.", field)


def placed(
    given: records.RecoveryStage, author: AssertedPractitioner, region: Region, today: date
) -> records.RecoveryStage:
    """One of the stages of the region's model (162, 176). INVALID_VALUE for another model or stage."""
    _check_stage(given, region.recovery_model)
    for name in ("presentation", "underlying_need", "intervention"):
        check_free_text(getattr(given, name), f"stage.{name}", required=False)
    check_past_day(given.effective_on, today, "stage.effective_on")
    made = records.RecoveryStage()
    made.CopyFrom(given)
    made.author.CopyFrom(author)
    return made


def _check_stage(given: records.RecoveryStage, model: RecoveryModel) -> None:
    if given.model != model.code:
        raise invalid(f"The region's recovery model is {model.code}.", "stage.model")
    if given.model_version != model.version:
        raise invalid(f"The region uses version {model.version} of it.", "stage.model_version")
    if given.stage not in model.stages:
        raise invalid("The model has no such stage.", "stage.stage")


def recommended(
    given: records.Recommendations, author: AssertedPractitioner, new_key: Callable[[], str]
) -> records.Recommendations:
    """What, who, in which order (164); sorted, each with a key that stays. MISSING_VALUE, INVALID_VALUE."""
    if not given.items:
        raise missing("There is no recommendation.", "recommendations.items")
    for item in given.items:
        check_free_text(item.what, "recommendations.what")
        check_text(item.who, "recommendations.who")
        check_text(item.key, "recommendations.key", required=False)
    _check_unique([item.key for item in given.items if item.key], "recommendations.key")
    _check_sequence([item.sequence for item in given.items])
    made = records.Recommendations(items=sorted(given.items, key=lambda item: item.sequence), author=author)
    for item in made.items:
        item.key = item.key or new_key()
    return made


def _check_sequence(sequence: list[int]) -> None:
    _check_unique(sequence, "recommendations.sequence")
    if min(sequence) < 1:
        raise invalid("The order counts from 1.", "recommendations.sequence")


def _check_unique(values: Iterable[object], field: str) -> None:
    found = list(values)
    if len(set(found)) != len(found):
        raise invalid(f"{field} stands there twice.", field)

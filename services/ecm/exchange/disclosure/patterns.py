# ruff: noqa: S608 - fragments of SQL are put together here, values never
"""What searches are after: those whose statement `disclose()` holds, so that they are planned once, not each time.

FROM and WHERE of resources `r`, for each `a` of `asked`; the predicate comes after. They find what
`search/compile.py` would find for the same request.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ecm.exchange.disclosure.predicate import consent_predicate

_OF_TYPE = "JOIN resource r ON r.pk = t.resource_pk AND r.type = a.args[1] WHERE a.admitted"


def known_to(recipient: str, target: str) -> str:
    """SQL that is false where `target` (a UUID) is the Patient of a child on whom the recipient has no grant.

    Nothing that refers to it is open to them, since what refers to a Patient is of the same child
    (`ecm.exchange.mapping`): not to look for it takes as long as to find nothing.
    """
    granted = f"EXISTS (SELECT FROM grants g WHERE g.child_id = k.child_id AND g.recipient = {recipient})"
    return f"""coalesce((SELECT {granted}
       FROM resource k WHERE k.type = 'Patient' AND k.id = {target} LIMIT 1), true)"""


def patterns(recipient: str, at: str) -> Mapping[str, str]:
    """By kind of ask."""
    known = known_to(recipient, "a.args[5]::uuid")
    seen = consent_predicate("p", recipient=recipient, purpose="a.purpose", at=at)
    return MappingProxyType(
        {
            # type, parameter, id, type of what is referred to; its id again, if it is one of ours
            "reference": f"""FROM asked a CROSS JOIN LATERAL (SELECT DISTINCT t.resource_pk FROM search_reference t
              WHERE t.param = a.args[2] AND t.target_type = a.args[4]
                AND t.target_id = CASE WHEN {known} THEN a.args[3] END) t {_OF_TYPE}""",
            # type, parameter, code, system or NULL for any
            "token": f"""FROM asked a CROSS JOIN LATERAL (SELECT DISTINCT t.resource_pk FROM search_token t
              WHERE t.param = a.args[2] AND t.code = a.args[3]
                AND (a.args[4] IS NULL OR t.system = a.args[4])) t {_OF_TYPE}""",
            # Patient's id, types, changed since or NULL; nothing, where the Patient itself can't be seen
            "everything": f"""FROM asked a
              JOIN resource p ON p.type = 'Patient' AND p.id = a.args[1]::uuid AND {seen}
              JOIN resource r ON r.child_id = p.child_id AND r.type = ANY(string_to_array(a.args[2], ' '))
               AND (a.args[3] IS NULL OR r.last_updated >= a.args[3]::timestamptz)
             WHERE a.admitted""",
        }
    )

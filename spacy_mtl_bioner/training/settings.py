"""Which settings a config can have: spaCy takes a misspelled one without a word."""

from typing import Any, List, Mapping, Optional

from spacy.schemas import ConfigSchemaInit, ConfigSchemaNlp, ConfigSchemaTraining

SCHEMAS = {"training": ConfigSchemaTraining, "nlp": ConfigSchemaNlp, "initialize": ConfigSchemaInit, "system": None}
"""Sections whose settings are known; all that ``[system]`` may have stands in the configs."""


def expected_settings(name: str, config: Mapping[str, Any]) -> Optional[List[str]]:
    """Return what may stand in the place of a dotted name whose first two parts name no setting, that is one of spaCy
    or of the config; ``None`` where they do, or where it is not known what there may be."""
    section, _, setting = name.partition(".")
    if section not in SCHEMAS:
        return None
    known = {*getattr(SCHEMAS[section], "model_fields", ()), *config.get(section, {})}
    return None if setting.split(".")[0] in known else [f"{section}.{found}" for found in sorted(known)]

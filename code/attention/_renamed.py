"""Names of settings in files that are older than the names (used by weight_files, widgets)."""

RENAMED = {"source_symbols": "source_vocab_size", "target_symbols": "target_vocab_size"}


def in_todays_names(header: dict) -> dict:
    """Rename the settings of a model whose file was written when they had other names."""
    if not isinstance(header.get("config"), dict):
        return header
    renamed = {RENAMED.get(name, name): value for name, value in header["config"].items()}
    return header | {"config": renamed}

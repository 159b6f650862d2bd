"""Which addresses are public: a rule of the core, by its old name here."""

from toolkit.core.addresses import check_literal, is_public, literal, refused

__all__ = ["check_literal", "is_public", "literal", "refused"]

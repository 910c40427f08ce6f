"""Builders and fakes that tests share: ``from tests.support.packs import a_key_pack``.

A builder states only what matters to its test; a fake keeps the contract of its port (``tests/contract`` proves it).
"""

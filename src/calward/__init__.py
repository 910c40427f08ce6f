"""Calward: an open license server for remote desktop session hosts.

Imports point inward: ``bootstrap → entrypoints | adapters → app → insight → domain | wire``.
"""

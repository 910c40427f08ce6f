"""USE CASES: one verb a file, each a function of a command and of the ports it needs.

``ports`` says what is needed from outside (ledger, signer, clock, entropy). Time, randomness and identity come as
arguments. Imported by entrypoints, adapters (which make the ports real) and bootstrap; imports insight, domain and wire.
"""

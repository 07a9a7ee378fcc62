"""Tests of the sandbox, module by module; the protocol is tested over real HTTP on loopback."""

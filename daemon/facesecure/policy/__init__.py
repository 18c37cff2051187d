"""Decides who is told what: pure values (rules, history, the camera's story), and ``Policy``, which holds them."""

from facesecure.policy.deciding import Policy

__all__ = ["Policy"]

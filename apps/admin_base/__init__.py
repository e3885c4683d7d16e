"""Bases of the rooms' admin: lists never counted, filters without DISTINCT, plain numbers."""

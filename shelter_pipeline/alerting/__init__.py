"""Telling people: a message in three forms (JSON, Slack, e-mail) and the clients that carry it.

The only room that speaks to addresses of the operator's own settings, which may be private
ones. Its promise: a message ends within a bounded time, in a yes or in a sentence; it
follows no redirect and reads little of an answer; no secret and no unescaped word from
outside stands in what is sent or said.
"""

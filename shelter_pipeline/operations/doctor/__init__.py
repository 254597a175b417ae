"""Looking at everything that Shelter stands on: `shelter doctor`.

Each check is bounded in time and stands alone: what does not answer is a finding, and keeps
no other check waiting. Nothing is started and nothing changed but a probe of the store, which
is removed. No finding shows a secret.
"""

"""leakgate fails a build when a memory checker reports a bug that you haven't accepted."""

"""Tries codecs on the operator's machine, in the engine that decodes in AWS."""

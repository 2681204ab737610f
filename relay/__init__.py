"""The engine: from a stored delivery to a settled SALESmanago command.

No flask here and no globals: time, settings and the platform registry are passed in. Imports run one way,
``worker -> {store, translation, salesmanago} -> schemas -> the vocabulary modules beside this file``.
"""

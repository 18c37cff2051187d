"""Convert weights that others publish for other runtimes into TFLite files, without those runtimes.

The conversion runs once, when a model is pulled. It computes each weight by itself, in double precision and in one
order, so that it gives the same bytes on every machine: the model's card pins the hash of the result.
"""

"""Work on very many items: in this process, in several on this machine, or on a Dask cluster, with equal results."""

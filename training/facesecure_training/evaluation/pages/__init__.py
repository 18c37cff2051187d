"""HTML pages of evaluation reports, with figures, curves and images."""

"""Alert plugins: ``api`` is the public interface for their authors; ``registry`` and ``loader`` load them."""

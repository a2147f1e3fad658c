//! What should happen: NGINX configurations and route tables as values, without I/O.

//! RESP, the Redis serialization protocol, as far as the upstreams speak it.

"""gRPC: policy, interceptor, server, channels, commands."""

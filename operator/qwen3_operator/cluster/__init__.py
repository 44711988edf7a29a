"""The only room that talks to the API server: plain JSON in, values or ClusterError out."""

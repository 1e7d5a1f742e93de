"""What crosses the trust boundary: a job goes in, messages and values come out, as plain data and safetensors only."""

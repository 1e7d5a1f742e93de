"""The names that the given cells bind and questions rely on: where a submission changes them, they can be put back."""

NAMES = (
    *("vocab_size", "pad_id", "max_len", "batch", "batch_lens", "sorted_idx"),
    *("embedding_size", "hidden_size", "num_layers", "num_dirs", "dropout", "h_0", "c_0"),
)

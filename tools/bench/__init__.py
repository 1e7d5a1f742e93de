"""Speed, measured: this project beside `otter run` and `nbgrader autograde`, and beside what the cells alone cost."""

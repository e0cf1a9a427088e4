"""What all reports share: printed tables, the page frame, figure style, drawings, templates.
A module here knows how something looks, for every task alike.
Not here: which rows, columns or figures one task shows; its `tables`, `figures`, `report` do."""

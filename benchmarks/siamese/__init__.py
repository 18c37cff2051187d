"""Train the siamese DenseNet of the article of 2018 as well as it can be, stage by stage."""

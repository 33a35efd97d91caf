"""What the words of the findings and the reports mean."""

__all__ = ["WORDS"]

WORDS: dict[str, str] = {
    "site": (
        "One application of an activation function: the module that owns the call, the function, and which call of a "
        "forward pass it is. nn.ReLU(), F.relu, x.clamp(min=0) and the function inside nn.TransformerEncoderLayer are "
        "all sites. A module that is called on the outputs of two layers is two sites; called again on the output of "
        "the same weights, as in a loop over time, it is one."
    ),
    "unit": (
        "A feature of the layer that makes the pre-activation: an output of a Linear, a channel of a convolution. "
        "It is read from the graph that torch records for the backward pass, not guessed from the shape."
    ),
    "sample": (
        "One position at which a unit is evaluated: batch × time × pixels. A convolution with 16 images of 28 by 28 "
        "pixels evaluates each of its channels on 12,544 samples in one step; findings call them positions."
    ),
    "flat": (
        "A pre-activation where the slope of the function is below 1 % of its steepest: z <= 0 for ReLU, |z| above 3 "
        "for tanh, |z| above 6 for the sigmoid. Hardly any gradient passes there."
    ),
    "active": "Not flat: a pre-activation at which gradient passes. For ReLU that is z > 0.",
    "dead": (
        "A unit that was flat, on the side where its output is about zero, on every sample for long enough: 1,000 "
        "samples and 20 steps at least. See dead-units."
    ),
    "saturated": (
        "A unit that is flat on 95 % of the latest samples on a side where its output is not about zero. See "
        "saturated-units."
    ),
    "sparse": ("Many zeros, but every unit fires sometimes. That is what ReLU is for, and never a finding by itself."),
    "head": (
        "A site with no weights between it and the loss, such as the sigmoid before a binary cross-entropy. It may "
        "be flat because the network is sure, so it is never called saturated."
    ),
    "window": (
        "The shortest stretch of training from which a unit can be called dead: 20 steps, and as many as it takes to "
        "see 1,000 samples. The first window of a run tells what a layer was like at birth; the latest, what it is now."
    ),
    "budget": (
        "The share of the training's time that limen may take: 1 % unless --budget or budget= says otherwise. 2 s in "
        "total may always be taken: half of them at once, the rest little by little. The first 50 steps are always "
        "looked at; after that only as many as the budget allows. --budget every looks at all of them."
    ),
    "inactive-share": (
        "The share of samples, over all units of a site, that are flat. Half of them is usual for a ReLU layer at "
        "birth; more is sparse, and all of them is dead."
    ),
    "update-ratio": (
        "How far one step moved a parameter, as a share of itself: ‖Δw‖ / ‖w‖, for each optimiser step and parameter. "
        "About a thousandth is usual; above a tenth a weight is replaced, not adjusted; below a millionth nothing is "
        "learned."
    ),
    "healthy": (
        "The verdict on a training of 20 steps and 1,000 samples or more in which no error or warning is open at the "
        "end. It speaks of the activations, the gradients and the steps, and of mistakes that can be seen in the "
        "program, such as a softmax before a cross-entropy; not of the accuracy."
    ),
    "sick": "The verdict on a training in which an error or a warning is open at the end.",
    "undecided": (
        "The verdict where too little was seen: fewer than 20 steps, fewer than 1,000 samples at every site, no "
        "activation function at all, or a watch that "
        "ended early. Where activations were meant to be and none was seen, ``limen check`` says between which layers "
        "they are missing."
    ),
    "gradient-profile": (
        "The norm of the loss gradient at each site, from the last layer to the first. It should be level within an "
        "order or two; a steady fall towards the input is a vanishing gradient, a steady rise an exploding one."
    ),
}
"""A few lines for each word, by the word."""

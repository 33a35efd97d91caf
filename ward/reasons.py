"""Why a fault can be missed: a sentence for each, which the page shows beside the cases that were."""

from __future__ import annotations

__all__ = ["FALSE_ALARM", "REASONS"]

FALSE_ALARM = "A finding of severity warning or error on a training that learns; every one is a mistake of limen's."

REASONS: dict[str, str] = {
    "learning rate far too high": "Where the network is small or normalised, the loss settles high without violence, "
    "and looks like one that has converged.",
    "learning rate far too low": "The loss moves as slowly as its noise; with few steps, too slow and not yet begun "
    "cannot be told apart.",
    "Adam without its eps, at a rate of 0.1": "The steps are large but bounded: the loss wanders rather than diverges.",
    "loss summed over the batch": "It is a learning rate that is too high by the size of the batch, and momentum or a "
    "small first rate can bear that.",
    "gradients never cleared": "At a small rate the added-up gradients act like a strong momentum.",
    "the signal is detached": "The layers behind the cut still learn, and where random features are enough for the "
    "data the loss falls nearly as it should.",
    "parameters forgotten": "Nothing shows in the loss where the last layer alone can learn the data, and a model "
    "that was taken over trained looks the same.",
    "the loss is climbed": "A loss that is bounded can only creep up, and one that is climbed by a small rate hardly "
    "moves.",
    "normalised over a batch of two": "Where the values of a sample differ as much as those of different samples, the "
    "statistics hardly change from batch to batch, and nothing is said.",
    "dropout of nearly all": "Activations and gradients look as they do without it; only the loss is noisy and slow.",
    "all weights zero": "Where only the last bias can learn, the loss falls to what guessing reaches and stays there, "
    "as it does on data that cannot be learnt.",
    "all weights equal": "Where no site shows it, the deviation of the first weights tells, and after some steps of an "
    "adaptive optimiser that of equal numbers is no longer exactly zero.",
    "weights far too large": "Where activations are bounded or the last layer adapts, the loss begins high and falls.",
    "weights far too small": "An adaptive optimiser makes up for tiny gradients after some steps.",
    "biases that keep units silent": "An adaptive optimiser moves the biases back before the evidence is complete.",
    "biases that saturate units": "An adaptive optimiser moves the biases back before the evidence is complete.",
    "gates that never open": "Nothing comes out of the memory; what learns is the last bias.",
    "recurrence that grows": "Over few time steps the state grows by a factor that training can still undo.",
    "inputs not scaled": "An adaptive optimiser and the first layer scale the inputs back within the run.",
    "inputs scaled down twice": "The first layer grows to make up for it: the training is slow at first, then normal.",
    "targets not scaled": "The loss falls by as many per cent as with scaled targets, only later.",
    "no activation between layers": "The loss falls as far as a linear model can go, and how far that is depends on "
    "the data.",
    "deep sigmoid": "A depth at which a signal is left lets the last layers learn.",
    "very deep without normalisation": "An adaptive optimiser takes steps of the same size whatever the gradient.",
    "exponential activation": "Before it overflows the network learns.",
    "softmax as hidden activation": "A softmax passes some signal, so that a network of few layers learns, slowly.",
    "AutoTrainer's exponential, 8 to 10 layers": "The run overflows at once: there is hardly a number to judge.",
    "AutoTrainer's sigmoid, 11 to 13 layers": "Layers of five units give few numbers to judge by.",
    "AutoTrainer's ReLU of small weights, 8 or 9 layers": "Layers of five units give few numbers to judge by.",
    "AutoTrainer's ReLU, 15 to 17 layers": "Layers of five units give few numbers to judge by.",
    "softmax before cross-entropy": "The accuracy can reach the twin's: only the floor under the loss is seen.",
    "softmax over the batch": "What comes out is a softmax like any other; the axis shows in its sums alone.",
    "sigmoid before a loss that applies it": "The logits stay within 0 and 1 and the loss falls, to a floor.",
    "ReLU on the logits": "Classes whose logit is positive at the start still learn.",
    "squared error of a softmax": "The gradient is weak where a prediction is wrong and sure; else it learns.",
    "bounded output for unbounded targets": "Targets within reach are learnt; the loss falls to what others cost.",
    "softmax over one output": "The output is always 1 and no gradient flows: seen only where the head is watched.",
    "logarithm of a probability that is 0": "Until a probability rounds to 0 nothing is wrong.",
    "square root of nothing": "The first backward pass is not finite.",
}

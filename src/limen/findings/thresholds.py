"""Every limit of every rule, in one place."""

from dataclasses import dataclass

from limen.vitals import EVIDENCE, Evidence

__all__ = ["Thresholds"]


@dataclass(frozen=True)
class Thresholds:
    """Limits that the rules compare with: each one field with its unit, and where its default comes from.

    Attributes:
        samples: samples a unit must have been silent on before it is dead. From: the rule of three, so that its
            activity is below 0.3 % with 95 % confidence.
        steps: training steps over which it was silent. From: one odd batch must not be enough.
        saturated: share of samples on a bounded side from which a unit is saturated. From: Glorot & Bengio 2010
            watch the 98th percentile; 95 % leaves room for small windows.
        surprise: silent activations expected from the unit's own earlier rate, in samples. From: a Poisson count
            of 5 is zero with a chance below 1 %, so that a rarely used unit is not called dead.
        dead_warning: share of units of a layer, killed by violence, that is a warning. From: healthy nets with
            torch's own initialisation keep 10 to 24 % dead units (measured on an MLP of four layers).
        dead_error: share of units of a layer that is an error. From: Amazon SageMaker Debugger's DeadRelu, 50 %.
        dead_born: share of units of a layer, never active in a training that learns, that is a warning. From: narrow
            ReLU nets with torch's own initialisation begin with up to 57 % (measured on an autoencoder of the ward) and
            use them later.
        dead_blocked: share of units of a layer from which even a falling loss does not excuse it. From: what is
            left cannot carry a class each; only biases behind the layer still learn.
        fewest_units: units concerned before a share of a layer is spoken of. From: one unit of a bottleneck of
            four is 25 % by itself.
        dying_rise: share of units of a layer that died since the first window. From: half of ``dead_warning``.
        dying_lasting: share of those deaths in the latter half of the run. From: a process that has ended is not
            under way; a steady one has half of its deaths there.
        saturated_units: share of units of a layer that is a finding. From: DeepDiagnosis (Wardat et al. 2022), 50 %.
        saturated_samples: share of flat samples of a layer, all units, that is a finding as well. From: a Gaussian
            pre-activation of standard deviation 8, as N(0, 1) weights give 64 inputs, is flat on 71 % for tanh.
        alike: difference between units of a layer, as a share of their spread, up to which units that began alike have
            not parted. From: random weights differ by about 1; equal tanh units with unequal biases stay within 0.1.
        window: recorded rows over which gradients and updates are averaged by their median. From: the same 20
            steps as for dead units.
        begun: steps of the first window, or rows with a gradient, before what was wrong from the start is told. From: a
            few updates set right what chance or a zero made wrong; half of ``window``.
        depth: layers with an activation before a gradient profile is judged. From: three factors of 1/4 leave 1.6 %,
            with which a net still trains.
        vanished: gradient at the first site over that at the last, dimensionless. From: nets of ten layers with
            ratios of 1e-2 to 1e-3 train well; used together with ``starved``.
        starved: relative gradient or update ratio of the first layer over that of the last, dimensionless. From: a
            thousand times slower is still where it began when the last layer has finished.
        starved_badly: the same, from which a falling loss does not excuse it. From: the first layer would need 1e5
            times as many steps.
        lost: gradient at the first site over that at the last, dimensionless, below which a missing fall of the loss
            needs no patience. From: of networks for digits with torch's own initialisation and Adam, one of 14 layers
            at 1e-7 begins to learn after 250 steps; those of 18 and 22 layers at 1e-9 and 4e-9 never did in 500.
        gone: gradient at the first site over that at the last, dimensionless, from which harm is certain, whatever the
            loss does yet. From: 1/4 to the power of ten sigmoids, or 16 layers of ReLU with torch's own weights.
        ordered: rank correlation of the profile with depth. From: 0.8 is significant at 5 % from five layers on.
        patience: training steps before a missing fall of the loss means anything. From: plateaus of healthy nets
            at the start (symmetry breaking, warm-up) last tens of steps.
        early: training steps from which a missing fall of the loss means something beside what keeps the network from
            learning. From: twice ``window``, and a half for the first steps of an optimiser.
        lasting: training steps that a loss stays above its start before it counts as lost. From: a small network takes
            some fifty steps to learn another task (measured on digits, after 200 steps on two of the ten classes).
        exploded: gradient at the first site over that at the last, dimensionless. From: a tanh net of fifty layers
            with torch's own gain 5/3 grows by 117 at birth in theory and is trainable; used together with harm.
        explosive_factor: growth for each layer, dimensionless. From: batch normalisation alone grows by
            sqrt(pi/(pi-1)) = 1.21 (Yang et al. 2019) and trains.
        wild_loss: loss at the start over that of a guess, dimensionless. From: three times a guess is what classes
            in wrong order give a fine-tuned network; a sound initialisation begins at 1.0 to 1.3.
        wild_signal: root mean square of the pre-activations of a layer at birth. From: pixels of 0 to 16 in torch's own
            initialisation give 4.
        huge_input: root mean square of the model's input that makes any learning rate too high, and from which nothing
            else is needed to blame the input. From: pixels of 0 to 16 have 8, those of 0 to 255 about 80 to 150.
        runaway: gradient norm now over that at the start of the run, dimensionless. From: three orders of
            magnitude are beyond warm-up and batch noise.
        violent_update: update ratio of a weight in one step. From: about 1e-3 is usual (Karpathy, "A recipe for
            training neural networks"); at 0.3 a tenth of a hundred steps replaces the weights.
        large_update: update ratio of a weight in one step that is evidence of too large a learning rate. From: a
            hundred times the usual 1e-3.
        telling_update: update ratio of a weight in one step to which the deaths of a few units are put down; of
            half a layer, large_update will do. From: between the largest of a healthy CNN with momentum 0.9 and
            dropout (0.12) and that of `limen demo` (0.28).
        frozen_update: update ratio of every weight below which nothing learns. From: 1e-6 needs a million steps.
        slow_update: update ratio of every weight, all along, at which learning will not arrive. From: a tenth of the
            lowest that TheDeepChecker accepts, 1e-4 (Ben Braiek & Khomh 2023); a weight needs 1e5 steps to be replaced.
        far: training steps for a fall by a tenth that are too many. From: a sound training takes tens to hundreds.
        surges: times that a loss is thrown up and comes back before it oscillates. From: one is an accident, two are
            a warm-up that was too short.
        swing: change of a loss from one step to the next, as a share of its level. From: batches of 64 of ten classes
            differ by 2 to 6 % of the level until the loss is small (measured on digits and fashion images).
        turning: rows of steps that follow each other before turns are counted. From: 32 that all turn are four and a
            half standard errors beyond chance.
        risen: loss now over loss at the start that counts as harm. From: a loss three times that of an untrained
            net is worse than guessing.
        fell: share of the loss at the start by which it must have fallen to count as learning. From: biases of the
            head alone take off a few per cent.
    """

    samples: int = EVIDENCE.samples
    steps: int = EVIDENCE.steps
    saturated: float = EVIDENCE.saturated
    surprise: float = 5.0
    dead_warning: float = 0.25
    dead_error: float = 0.5
    dead_born: float = 0.75
    dead_blocked: float = 0.9
    fewest_units: int = 4
    dying_rise: float = 0.125
    dying_lasting: float = 0.25
    saturated_units: float = 0.5
    saturated_samples: float = 0.7
    alike: float = 0.1
    window: int = 20
    begun: int = 10
    depth: int = 4
    vanished: float = 1e-2
    starved: float = 1e-3
    starved_badly: float = 1e-5
    lost: float = 1e-8
    gone: float = 1e-6
    ordered: float = 0.8
    patience: int = 200
    early: int = 50
    lasting: int = 100
    exploded: float = 1e2
    explosive_factor: float = 1.5
    wild_loss: float = 10.0
    wild_signal: float = 10.0
    huge_input: float = 50.0
    runaway: float = 1e3
    violent_update: float = 0.3
    large_update: float = 0.1
    telling_update: float = 0.2
    frozen_update: float = 1e-6
    slow_update: float = 1e-5
    far: float = 1e4
    surges: int = 3
    swing: float = 0.3
    turning: int = 32
    risen: float = 3.0
    fell: float = 0.05

    @property
    def evidence(self) -> Evidence:
        """The same limits in the form that ``limen.vitals`` takes."""
        return Evidence(samples=self.samples, steps=self.steps, saturated=self.saturated)

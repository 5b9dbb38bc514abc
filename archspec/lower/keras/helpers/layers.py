"""Layers of generated source: normalizations, and parameters of a network."""

import keras
from keras import initializers, layers, ops


@keras.saving.register_keras_serializable("archspec")
class LocalResponseNormalization(layers.Layer):
    """x / (k + alpha * mean of squares) ** beta, over neighbouring channels."""

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def call(self, x):
        channels, half = x.shape[1], self.size // 2
        around = ((0, 0), (half, half), *((0, 0) for _ in x.shape[2:]))
        squares = ops.pad(ops.square(x), around)
        total = sum(squares[:, i : i + channels] for i in range(self.size))
        return x / (self.k + self.alpha / self.size * total) ** self.beta


@keras.saving.register_keras_serializable("archspec")
class Affine(layers.Layer):
    """A learned scale, and shift, a channel."""

    def __init__(
        self,
        use_bias=True,
        gamma_initializer="ones",
        beta_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_initializer = initializers.get(beta_initializer)

    def build(self, input_shape):
        shape = (input_shape[1], *(1 for _ in input_shape[2:]))
        self.gamma = self.add_weight(shape, self.gamma_initializer, name="gamma")
        if self.use_bias:
            self.beta = self.add_weight(shape, self.beta_initializer, name="beta")

    def call(self, x):
        return x * self.gamma + self.beta if self.use_bias else x * self.gamma

    def get_config(self):
        return {
            **super().get_config(),
            "use_bias": self.use_bias,
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_initializer": initializers.serialize(self.beta_initializer),
        }


@keras.saving.register_keras_serializable("archspec")
class RootMeanSquareNormalization(layers.Layer):
    """x / sqrt(mean of squares + epsilon) * gamma, over the last axes together."""

    def __init__(self, axes=1, epsilon=1e-6, gamma_initializer="ones", **kwargs):
        super().__init__(**kwargs)
        self.axes = axes
        self.epsilon = epsilon
        self.gamma_initializer = initializers.get(gamma_initializer)

    def build(self, input_shape):
        shape = input_shape[-self.axes :]
        self.gamma = self.add_weight(shape, self.gamma_initializer, name="gamma")

    def call(self, x):
        axes = list(range(-self.axes, 0))
        mean = ops.mean(ops.square(x), axis=axes, keepdims=True)
        return x / ops.sqrt(mean + self.epsilon) * self.gamma

    def get_config(self):
        gamma_initializer = initializers.serialize(self.gamma_initializer)
        own = {
            "axes": self.axes,
            "epsilon": self.epsilon,
            "gamma_initializer": gamma_initializer,
        }
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("archspec")
class LayerScale(layers.Layer):
    """A learned factor for each entry of an axis."""

    def __init__(self, axis=1, gamma_initializer="ones", **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.gamma_initializer = initializers.get(gamma_initializer)

    def build(self, input_shape):
        size, *later = input_shape[self.axis :]
        shape = (size, *(1 for _ in later))
        self.gamma = self.add_weight(shape, self.gamma_initializer, name="gamma")

    def call(self, x):
        return x * self.gamma

    def get_config(self):
        gamma_initializer = initializers.serialize(self.gamma_initializer)
        own = {"axis": self.axis, "gamma_initializer": gamma_initializer}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("archspec")
class ClassToken(layers.Layer):
    """A learned vector before all others."""

    def __init__(self, token_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.token_initializer = initializers.get(token_initializer)

    def build(self, input_shape):
        shape = (1, 1, input_shape[2])
        self.token = self.add_weight(shape, self.token_initializer, name="token")

    def call(self, x):
        token = ops.repeat(self.token, ops.shape(x)[0], axis=0)
        return ops.concatenate([ops.cast(token, x.dtype), x], axis=1)

    def get_config(self):
        token_initializer = initializers.serialize(self.token_initializer)
        return {**super().get_config(), "token_initializer": token_initializer}


@keras.saving.register_keras_serializable("archspec")
class PositionEmbedding(layers.Layer):
    """A learned number added to each element of a sample."""

    def __init__(self, embeddings_initializer="uniform", **kwargs):
        super().__init__(**kwargs)
        self.embeddings_initializer = initializers.get(embeddings_initializer)

    def build(self, input_shape):
        self.embeddings = self.add_weight(
            (1, *input_shape[1:]), self.embeddings_initializer, name="embeddings"
        )

    def call(self, x):
        return x + self.embeddings

    def get_config(self):
        embeddings_initializer = initializers.serialize(self.embeddings_initializer)
        return {
            **super().get_config(),
            "embeddings_initializer": embeddings_initializer,
        }


@keras.saving.register_keras_serializable("archspec")
class Parameter(layers.Layer):
    """A learned tensor, the same for each sample."""

    def __init__(self, sizes, values_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.sizes = tuple(sizes)
        self.values_initializer = initializers.get(values_initializer)

    def build(self, input_shape):
        self.values = self.add_weight(
            self.sizes, self.values_initializer, name="values"
        )

    def call(self, x):
        return ops.repeat(self.values[None], ops.shape(x)[0], axis=0)

    def compute_output_spec(self, x):
        return keras.KerasTensor((x.shape[0], *self.sizes), self.compute_dtype)

    def get_config(self):
        values_initializer = initializers.serialize(self.values_initializer)
        own = {"sizes": self.sizes, "values_initializer": values_initializer}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("archspec")
class Squash(layers.Layer):
    """Vectors brought to a length below 1: |x| / (1 + |x|^2) * x."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, x):
        square = ops.sum(ops.square(x), axis=self.axis, keepdims=True)
        length = ops.sqrt(ops.maximum(square, 1e-12))  # which has a gradient at 0
        return length / (1 + square) * x


@keras.saving.register_keras_serializable("archspec")
class RadialBasis(layers.Layer):
    """Squared distances to a prototype a unit: sum_j (x_j - w_ij)^2."""

    def __init__(self, units, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_initializer = initializers.get(kernel_initializer)

    def build(self, input_shape):
        shape = (self.units, input_shape[1])
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")

    def call(self, x):
        return ops.sum(ops.square(ops.expand_dims(x, 1) - self.kernel), axis=2)

    def get_config(self):
        kernel_initializer = initializers.serialize(self.kernel_initializer)
        own = {"units": self.units, "kernel_initializer": kernel_initializer}
        return {**super().get_config(), **own}

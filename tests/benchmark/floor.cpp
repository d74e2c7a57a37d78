#include "floor.hpp"

#include "ceiling.hpp"
#include "model/kernel.hpp"
#include "values.hpp"

namespace thalweg::bench {
namespace {

const MultiplyAdds& peak() {
#if defined(__x86_64__)
  switch (kernel::best().lanes) {
    case 8:
      return multiply_adds<8>();
    case 4:
      return multiply_adds<4>();
  }
#endif
  return multiply_adds<2>();
}

/// Weights, weights of the first layer, hidden units.
struct Sizes {
  double weights = 0, first = 0, hidden = 0;

  explicit Sizes(const Mlp& model) : first(static_cast<double>(model.inputs() * model.layers()[0].outputs)) {
    for (const Layer& l : model.layers()) {
      weights += static_cast<double>(l.inputs * l.outputs);
      if (l.hidden_outputs) hidden += static_cast<double>(l.outputs);
    }
  }
};

Task tanhs() {
  return [v = Values()]() mutable {
    kernel::best().activate(kernel::Function::tanh, 1, Values::count, Values::count, v.arguments().data(), v.values(),
                            nullptr, nullptr);
  };
}

}  // namespace

Operations of_value(const Mlp& model) {
  const Sizes s(model);
  return {2 * s.weights, s.hidden};
}

Operations of_gradient(const Mlp& model) {
  const Sizes s(model);
  return {6 * s.weights - 2 * s.first, s.hidden};
}

Operations of_product(const Mlp& model) {
  const Sizes s(model);
  return {16 * s.weights - 10 * s.first, s.hidden};
}

std::vector<Part> floor(const Operations& sample, double samples) {
  return {{multiply_adds(), samples * sample.flops / multiply_add_flops()},
          {tanhs(), samples * sample.tanhs / static_cast<double>(Values::count)}};
}

Task multiply_adds() {
  return [state = Vector(Vector::Zero(peak().doubles))]() mutable { peak().run(state.data()); };
}

double multiply_add_flops() { return peak().flops; }

}  // namespace thalweg::bench

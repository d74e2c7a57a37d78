#include <cmath>

#include "model/kernel.hpp"
#include "rows.hpp"
#include "values.hpp"

namespace thalweg::bench {
namespace {

constexpr Index count = Values::count;

const Unit unit{"ns/value", 1e-9};

void activate(kernel::Function function, Values& v, double* slopes) {
  kernel::best().activate(function, 1, count, count, v.arguments().data(), v.values(), slopes, nullptr);
}

/// A function of the kernel next to the C library's.
struct Twin {
  std::string name;
  double (*library)(double);
  void (*ours)(Values& v);
};

const Twin twins[] = {
    {"tanh", std::tanh, [](Values& v) { activate(kernel::Function::tanh, v, nullptr); }},
    {"exp", std::exp, [](Values& v) { kernel::best().exp(count, v.arguments().data(), v.values()); }},
    {"log1p", std::log1p, [](Values& v) { kernel::best().log1p(count, v.arguments().data(), v.values()); }},
};

/// At arguments in [0, 1], which all three of the kernel's take.
Result over_library(const Twin& twin) {
  Values v;
  v.arguments() = v.arguments().cwiseAbs().cwiseMin(1);
  const auto library = [&] {
    for (Index i = 0; i < count; ++i) v.values()[i] = twin.library(v.arguments()[i]);
  };
  return compare([&] { twin.ours(v); }, {{library, 1}}).per(static_cast<double>(count));
}

/// What a gradient needs of an activation: its value and, but for tanh, whose slope is a function of it, its slope.
Result over_tanh(kernel::Function function) {
  Values v;
  return compare([&] { activate(function, v, v.slopes()); },
                 {{[&] { activate(kernel::Function::tanh, v, nullptr); }, 1}})
      .per(static_cast<double>(count));
}

}  // namespace

std::vector<Row> function_rows() {
  std::vector<Row> rows;
  for (const Twin& twin : twins)
    rows.push_back({twin.name, "libm", 1. / 8, unit, [&twin] { return over_library(twin); }});
  for (const Activation& a : activations())
    if (a.function != kernel::Function::tanh && a.function != kernel::Function::identity)
      rows.push_back({std::string(a.name) + " and its slope", "tanh", 2, unit, [&a] { return over_tanh(a.function); }});
  return rows;
}

}  // namespace thalweg::bench

#include <cmath>

#include "../network.hpp"
#include "model/kernel.hpp"
#include "rows.hpp"

namespace thalweg::bench {
namespace {

constexpr Index count = 1024;  // in and out stay in the first-level cache

const Unit unit{"ns/value", 1e-9};

void activate(kernel::Function function, const Vector& z, Vector& f, double* f1) {
  kernel::best().activate(function, 1, count, count, z.data(), f.data(), f1, nullptr);
}

/// A function of the kernel next to the C library's.
struct Twin {
  std::string name;
  double (*library)(double);
  void (*ours)(const Vector& x, Vector& y);
};

const Twin twins[] = {
    {"tanh", std::tanh, [](const Vector& x, Vector& y) { activate(kernel::Function::tanh, x, y, nullptr); }},
    {"exp", std::exp, [](const Vector& x, Vector& y) { kernel::best().exp(count, x.data(), y.data()); }},
    {"log1p", std::log1p, [](const Vector& x, Vector& y) { kernel::best().log1p(count, x.data(), y.data()); }},
};

/// At arguments in [0, 1], which all three of the kernel's take.
Result over_library(const Twin& twin) {
  const Vector x = test::normals(count, 3).cwiseAbs().cwiseMin(1);
  Vector y(count), z(count);
  const auto library = [&] {
    for (Index i = 0; i < count; ++i) z[i] = twin.library(x[i]);
  };
  return compare([&] { twin.ours(x, y); }, {{library, 1}}).per(static_cast<double>(count));
}

/// What a gradient needs of an activation: its value and, but for tanh, whose slope is a function of it, its slope.
Result over_tanh(kernel::Function function) {
  const Vector z = test::normals(count, 3);
  Vector f(count), f1(count), f2(count);
  return compare([&] { activate(function, z, f, f1.data()); },
                 {{[&] { activate(kernel::Function::tanh, z, f2, nullptr); }, 1}})
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

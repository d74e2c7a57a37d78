#include "../network.hpp"
#include "floor.hpp"
#include "rows.hpp"
#include "thalweg/integrate/batches.hpp"

namespace thalweg::bench {
namespace {

using Reach = std::optional<double>;

struct Size {
  std::string name;
  std::vector<Index> hidden;
  std::string loss;
  Index samples, batch;          // batch 0: all samples
  Reach gradient;                // over the floor
  Reach product, many_products;  // over the gradient; the latter each
};

const Size sizes[] = {
    {"2-16-1, N = 200", {16}, "logistic", 200, 0, 1.6, {}, {}},
    {"2-32-32-1, N = 1000", {32, 32}, "logistic", 1000, 0, 1.2, 2.2, 1.6},
    {"2-32-32-1, batch 32", {32, 32}, "logistic", 1000, 32, 1.3, 2.2, {}},
    {"2-64-64-2, N = 2000", {64, 64}, "softmax", 2000, 0, 1.2, 2.5, 1.9},
    {"2-256-256-2, N = 2000", {256, 256}, "softmax", 2000, 0, 1.2, 2.7, 2.2},
};
constexpr Reach loss_reach = 1.15;

/// A network on its data at a point, and room for derivatives.
struct Point {
  test::Network net;
  Batches batches;
  Batch batch;
  double samples;
  Vector theta, direction, g;

  explicit Point(const Size& s)
      : net({.hidden = s.hidden, .loss = s.loss}, 2, s.samples),
        batches({.size = s.batch}, s.samples),
        batch(batches.at(0)),
        samples(static_cast<double>(s.batch > 0 ? s.batch : s.samples)),
        theta(net.model.start(5)),
        direction(test::normals(theta.size(), 6)),
        g(theta.size()) {}

  void value() const { net.risk.value(theta, batch); }
  void gradient() { net.risk.gradient(theta, batch, g); }
  void product() { net.risk.hvp(theta, batch, direction, g); }
};

Result value_over_floor(const Size& s) {
  Point at(s);
  return compare([&] { at.value(); }, floor(of_value(at.net.model), at.samples)).per(at.samples);
}

Result gradient_over_floor(const Size& s) {
  Point at(s);
  return compare([&] { at.gradient(); }, floor(of_gradient(at.net.model), at.samples)).per(at.samples);
}

Result product_over_floor(const Size& s) {
  Point at(s);
  return compare([&] { at.product(); }, floor(of_product(at.net.model), at.samples)).per(at.samples);
}

Result product_over_gradient(const Size& s) {
  Point at(s);
  return compare([&] { at.product(); }, {{[&] { at.gradient(); }, 1}}).per(at.samples);
}

/// Eight products at one theta share what depends on theta alone.
Result products_over_gradients(const Size& s) {
  Point at(s);
  constexpr Index count = 8;
  const Matrix directions = Matrix::Random(at.theta.size(), count);
  Matrix products(at.theta.size(), count);
  return compare([&] { at.net.risk.hvps(at.theta, at.batch, directions, products); },
                 {{[&] { at.gradient(); }, static_cast<double>(count)}})
      .per(at.samples * static_cast<double>(count));
}

/// The loss in single precision.
Result single_over_value(const Size& s) {
  Point at(s);
  const Risk single(at.net.model, at.net.samples, at.net.loss, 0, true);
  return compare([&] { single.value(at.theta, at.batch); }, {{[&] { at.value(); }, 1}}).per(at.samples);
}

Result peak() { return compare(multiply_adds(), {}).per(multiply_add_flops()); }

}  // namespace

std::vector<Row> kernel_rows() {
  const Unit unit{"ns/sample", 1e-9};
  std::vector<Row> rows{{"multiply-adds, one core", "-", {}, {"Gflop/s", 1e9, true}, peak}};
  const auto add = [&](const std::string& what, const std::string& against, Reach Size::*reach, const Size& s,
                       Result (*measure)(const Size&)) {
    rows.push_back(
        {what + " " + s.name, against, reach ? s.*reach : Reach(), unit, [&s, measure] { return measure(s); }});
  };
  for (const Size& s : sizes) {
    add("gradient", "floor", &Size::gradient, s, gradient_over_floor);
    add("loss", "floor", nullptr, s, value_over_floor);
    rows.back().reach = loss_reach;
    add("loss in float", "loss", nullptr, s, single_over_value);
    if (s.batch == 0) rows.back().reach = .5;
    add("product", "floor", nullptr, s, product_over_floor);
    add("product", "gradient", &Size::product, s, product_over_gradient);
    add("product of eight", "gradient", &Size::many_products, s, products_over_gradients);
  }
  return rows;
}

}  // namespace thalweg::bench

#include <cmath>

#include "../network.hpp"
#include "rows.hpp"
#include "thalweg/diagnose/spectrum.hpp"

namespace thalweg::bench {
namespace {

constexpr int count = 5;

/// 2-32-32-1 on a thousand samples after two hundred steps of descent, where the top of the spectrum has come apart.
struct Descended {
  test::Network net{{.hidden = {32, 32}}, 2, 1000};
  Vector theta = net.model.start(5), direction = test::normals(theta.size(), 6), out{theta.size()};
  SymmetricMap map;

  Descended() {
    for (int step = 0; step < 200; ++step) {
      net.risk.gradient(theta, {}, out);
      theta -= .2 * out;
    }
    map = hessian(net.risk, theta);
  }

  void gradient() { net.risk.gradient(theta, {}, out); }
  void product() { net.risk.hvp(theta, {}, direction, out); }
  void eigenpairs() const {
    EigenSettings settings;
    settings.count = count;
    thalweg::eigenpairs(map, settings);
  }
};

/// The top eigenvalues by power iteration with deflation, each until it changes by less than a thousandth or a hundred
/// products are spent: the algorithm and the defaults of PyHessian 0.1 (Yao, Gholami, Keutzer, Mahoney 2020).
void power_iteration(const SymmetricMap& a) {
  Matrix found(a.size, 0), image;
  for (int k = 0; k < count; ++k) {
    Matrix v = test::normals(a.size, static_cast<std::uint64_t>(7 + k));
    double value = std::nan("");
    for (int i = 0; i < 100; ++i) {
      v -= found * (found.transpose() * v);
      v.normalize();
      a.apply(v, image);
      const double next = v.col(0).dot(image.col(0));
      v = image.normalized();
      if (std::abs(value - next) < 1e-3 * (std::abs(value) + 1e-6)) break;
      value = next;
    }
    found.conservativeResize(Eigen::NoChange, k + 1);
    found.col(k) = v;
  }
}

Result over_gradient() {
  Descended d;
  return compare([&] { d.eigenpairs(); }, {{[&] { d.gradient(); }, 1}});
}

/// The ratio is the number of products and what is spent between them.
Result over_product() {
  Descended d;
  return compare([&] { d.eigenpairs(); }, {{[&] { d.product(); }, 1}});
}

Result over_power_iteration() {
  Descended d;
  return compare([&] { d.eigenpairs(); }, {{[&] { power_iteration(d.map); }, 1}});
}

}  // namespace

std::vector<Row> spectrum_rows() {
  const std::string work = "top 5 eigenpairs to 1e-8, N = 1000";
  const Unit unit{"ms", 1e-3};
  return {{work, "gradient", {}, unit, over_gradient},
          {work, "product", {}, unit, over_product},
          {work, "power iteration to 1e-3", {}, unit, over_power_iteration}};
}

}  // namespace thalweg::bench

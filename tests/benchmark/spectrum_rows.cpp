#include "../network.hpp"
#include "rows.hpp"
#include "thalweg/diagnose/spectrum.hpp"

namespace thalweg::bench {
namespace {

/// 2-32-32-1 on a thousand samples after two hundred steps of descent, where the top of the spectrum has come apart.
struct Descended {
  test::Network net{{.hidden = {32, 32}}, 2, 1000};
  Vector theta = net.model.start(5), gradient{theta.size()};

  Descended() {
    for (int step = 0; step < 200; ++step) {
      net.risk.gradient(theta, {}, gradient);
      theta -= .2 * gradient;
    }
  }
};

Result top_five() {
  Descended d;
  const SymmetricMap map = hessian(d.net.risk, d.theta);
  EigenSettings settings;
  settings.count = 5;
  return compare([&] { eigenpairs(map, settings); }, {{[&] { d.net.risk.gradient(d.theta, {}, d.gradient); }, 1}});
}

}  // namespace

std::vector<Row> spectrum_rows() {
  return {{"top 5 eigenpairs to 1e-8, N = 1000", "gradient", std::nullopt, {"ms", 1e-3}, top_five}};
}

}  // namespace thalweg::bench

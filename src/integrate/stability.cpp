#include "stability.hpp"

#include <cmath>
#include <complex>
#include <limits>

#include <petscts.h>
#include <boost/math/tools/roots.hpp>

#include "thalweg/core/petsc.hpp"

namespace thalweg {
namespace {

using petsc::check;

/// y' = -y.
class UnitDecay final : public Flow {
 public:
  Index size() const override { return 1; }
  void velocity(Part part, const Instant&, In y, Out v) const override {
    v[0] = part == Part::all || part == Part::slow ? -y[0] : 0;
  }
  void jvp(Part part, const Instant& at, In, In w, Out vw) const override { velocity(part, at, w, vw); }
  bool symmetric() const override { return true; }
};

std::unique_ptr<Stepper> decay(MakeStepper make, SchemeSettings settings, double step) {
  static const UnitDecay flow;
  settings.step = step;
  settings.rtol.reset();
  settings.atol.reset();
  settings.batch = {};
  return make(flow, settings, Vector::Ones(1), std::numeric_limits<double>::infinity());
}

}  // namespace

std::vector<double> stability_polynomial(const std::string& rk_type) {
  petsc::Handle<TS, TSDestroy> ts;
  check(TSCreate(PETSC_COMM_SELF, ts.out()));
  check(TSSetType(ts, TSRK));
  check(TSRKSetType(ts, rk_type.c_str()));
  PetscInt s = 0;
  const double *a = nullptr, *b = nullptr;
  check(TSRKGetTableau(ts, &s, &a, &b, nullptr, nullptr, nullptr, nullptr, nullptr));
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Matrix stages = Eigen::Map<const Rows>(a, s, s);
  const Vector weights = Eigen::Map<const Vector>(b, s);
  std::vector<double> c{1};
  Vector power = Vector::Ones(s);
  for (PetscInt k = 0; k < s; ++k) {
    c.push_back(weights.dot(power));
    power = stages * power;
  }
  return c;
}

double real_stability_limit(const std::function<double(double)>& factor) {
  const auto slack = [&](double x) { return 1 - std::abs(factor(x)); };
  // Factors are polynomials in x whose turns are further apart than this.
  constexpr double stride = .05;
  double x = stride;
  while (slack(x + stride) > 0)
    if (x += stride; x > 1e4) return std::numeric_limits<double>::infinity();
  std::uintmax_t iterations = 100;
  return boost::math::tools::toms748_solve(slack, x, x + stride, boost::math::tools::eps_tolerance<double>(50),
                                           iterations)
      .first;
}

double one_step_limit(MakeStepper make, const SchemeSettings& settings) {
  return real_stability_limit([&](double x) {
    const auto stepper = decay(make, settings, x);
    stepper->advance();
    return stepper->state()[0];
  });
}

double with_error_limit(MakeStepper make, const SchemeSettings& settings) {
  return real_stability_limit([&](double x) {
    const auto stepper = decay(make, settings, x);
    // y_n of a linear recursion of two terms: y_n+2 = trace y_n+1 - det y_n.
    double y[4] = {1};
    for (int n = 1; n < 4; ++n) {
      stepper->advance();
      y[n] = stepper->state()[0];
    }
    const double gap = y[1] * y[1] - y[0] * y[2];
    if (std::abs(gap) < 1e-14 * y[1] * y[1]) return y[1];  // y decouples: one term
    const double trace = (y[1] * y[2] - y[0] * y[3]) / gap, det = (y[2] * y[2] - y[1] * y[3]) / gap;
    const auto root = std::sqrt(std::complex<double>(trace * trace / 4 - det));
    return std::max(std::abs(trace / 2 + root), std::abs(trace / 2 - root));
  });
}

}  // namespace thalweg

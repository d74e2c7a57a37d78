#pragma once

#include <vector>

namespace thalweg {

/// The coefficients of a damped Runge-Kutta-Chebyshev scheme of order 1 or 2 with s stages. Its stability polynomial is
/// P(z) = a_s + b_s T_s(w0 + w1 z), T_s Chebyshev's, w0 = 1 + epsilon/s^2 (van der Houwen, Sommeijer 1980; Sommeijer,
/// Shampine, Verwer 1997). The damping epsilon, 0.05 at order 1 and 2/13 at order 2, keeps |P| below one inside.
class Chebyshev {
 public:
  /// stages >= 1 at order 1, >= 2 at order 2.
  Chebyshev(int order, int stages);

  int stages() const { return static_cast<int>(b_.size()) - 1; }
  /// Stable for 0 < -z < limit, where w0 + w1 z falls from w0 to -1: about 1.93 s^2 at order 1, 0.65 s^2 at order 2.
  double limit() const { return (1 + w0_) / w1_; }

  /// Stage j, 2 <= j <= s: y_j = (1 - mu - nu) y_0 + mu y_(j-1) + nu y_(j-2) + h slope f(y_(j-1)) + h start f(y_0).
  struct Stage {
    double mu, nu, slope, start;
  };
  Stage stage(int j) const;
  /// y_1 = y_0 + h first_slope f(y_0).
  double first_slope() const { return b_[1] * w1_; }

 private:
  double w0_, w1_;
  std::vector<double> t_, b_;  // T_j(w0) and b_j
};

/// The fewest stages with which a step h is stable for eigenvalues up to `limit`/h.
int chebyshev_stages(int order, double limit);

}  // namespace thalweg

"""What every room shares: tasks and outcomes, jobs, HTTP values, the schedule and its policy, the errors."""

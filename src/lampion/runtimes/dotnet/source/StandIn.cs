using System;
using System.Reflection;

namespace Lampion.Runtime
{
    /// <summary>An implementation, made at run time, of an interface that the function brings.</summary>
    public class StandIn : DispatchProxy
    {
        private static readonly MethodInfo Maker = typeof(DispatchProxy).GetMethod(
            "Create", 2, BindingFlags.Public | BindingFlags.Static, null, Type.EmptyTypes, null);

        private Func<MethodInfo, object[], object> answer;

        /// <summary>What makes objects of that interface; the answer to a member that isn't known is null.</summary>
        internal static Func<Func<MethodInfo, object[], object>, object> For(Type type)
        {
            var make = (Func<object>)Delegate.CreateDelegate(typeof(Func<object>), Maker.MakeGenericMethod(type, typeof(StandIn)));
            return answer =>
            {
                object made = make();
                ((StandIn)made).answer = answer;
                return made;
            };
        }

        protected override object Invoke(MethodInfo method, object[] arguments)
        {
            object result = answer(method, arguments);
            Type type = method.ReturnType;
            return result == null && type.IsValueType && type != typeof(void) ? Activator.CreateInstance(type) : result;
        }
    }
}
